// The same as guest.c, in AssemblyScript.

const memory = new StaticArray<u8>(1 << 20);

export function arena(): usize {
  return changetype<usize>(memory);
}

function hash(key: usize, length: i32): u32 {
  const m: u32 = 0x5bd1e995;
  let h: u32 = 0x9747b28c ^ (<u32>length);
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    let k = load<u32>(key + i);
    k *= m;
    k ^= k >> 24;
    k *= m;
    h *= m;
    h ^= k;
  }
  const left = length & 3;
  if (left == 3) h ^= (<u32>load<u8>(key + i + 2)) << 16;
  if (left >= 2) h ^= (<u32>load<u8>(key + i + 1)) << 8;
  if (left >= 1) {
    h ^= load<u8>(key + i);
    h *= m;
  }
  h ^= h >> 13;
  h *= m;
  h ^= h >> 15;
  return h;
}

export function murmur2(key: usize, length: i32): u32 {
  return hash(key, length);
}

export function batch(keys: usize, length: i32, n: i32): u32 {
  let sum: u32 = 0;
  for (let i = 0; i < n; i++) sum += (hash(keys + i * length, length) & 0x7fffffff) % 12;
  return sum;
}

export function fib(n: u32): u32 {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

export function sieve(n: u32): u32 {
  const a = memory;
  let count: u32 = 0;
  for (let i: u32 = 2; i < n; i++) unchecked((a[i] = 1));
  for (let i: u32 = 2; i < n; i++) {
    if (!unchecked(a[i])) continue;
    count++;
    for (let j = i * 2; j < n; j += i) unchecked((a[j] = 0));
  }
  return count;
}

export function fields(at: usize, length: i32): u32 {
  const s = String.UTF8.decodeUnsafe(at, length);
  const parts = s.split(",");
  let n: u32 = 0;
  for (let i = 0; i < parts.length; i++) if (parts[i].includes(":")) n += parts[i].length;
  return n;
}
