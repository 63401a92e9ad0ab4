// A consumer and a producer of their own: schemas are asked of the registry over its API, by the ids in frames.
// In:  {registry: URL, read: [hex of a framed value], write: [{id, message, value}]}
// Out: {read: [{message, value}], written: [hex]}; values as objects of protobufjs
import { readFileSync } from "node:fs";
import protobuf from "protobufjs";

async function ask(registry, path) {
  const answer = await fetch(registry + path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

// load parses a schema and those that it refers to. The well-known types come with protobufjs.
async function load(registry, { schema, references }, root) {
  for (const { name, subject, version } of references ?? []) {
    if (protobuf.common.get(name)) continue;
    await load(registry, await ask(registry, `/subjects/${encodeURIComponent(subject)}/versions/${version}`), root);
  }
  for (const name of protobuf.parse(schema, root).imports ?? []) {
    const common = protobuf.common.get(name);
    if (common) root.addJSON(common.nested);
  }
  return root;
}

const known = new Map();

async function byID(registry, id) {
  if (!known.has(id)) known.set(id, await compile(registry, id));
  return known.get(id);
}

async function compile(registry, id) {
  const answer = await ask(registry, `/schemas/ids/${id}`);
  if (answer.schemaType !== "PROTOBUF") throw new Error(`schema ${id} is of ${answer.schemaType}`);
  // Alone, to know which messages its text declares, and in which order.
  const own = protobuf.parse(answer.schema, new protobuf.Root());
  const root = await load(registry, answer, new protobuf.Root());
  root.resolveAll();
  return { root, declared: own.package ? own.root.lookup(own.package) : own.root };
}

const messages = (parent) => (parent.nestedArray ?? []).filter((o) => o instanceof protobuf.Type && !o.group);

function readVarint(data, at) {
  let value = 0, shift = 0;
  for (;;) {
    const b = data[at++];
    value |= (b & 0x7f) << shift;
    if (b < 0x80) return [(value >>> 1) ^ -(value & 1), at];
    shift += 7;
  }
}

// chosen is the message that message indexes mean, and where they end.
function chosen({ root, declared }, data, at) {
  let count, i;
  const path = [];
  [count, at] = readVarint(data, at);
  for (let n = 0; n < count; n++) {
    [i, at] = readVarint(data, at);
    path.push(i);
  }
  let type = declared;
  for (const index of count === 0 ? [0] : path) type = messages(type)[index];
  return [root.lookupType(type.fullName), at];
}

function writeVarint(value) {
  const bytes = [];
  for (value = (value << 1) ^ (value >> 31); value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

// indexes are the message indexes of a message.
function indexes({ declared }, name) {
  const path = [];
  const find = (parent) => messages(parent).some((m, i) => {
    path.push(i);
    if (m.fullName === "." + name || find(m)) return true;
    path.pop();
    return false;
  });
  if (!find(declared)) throw new Error("no message " + name);
  return path.length === 1 && path[0] === 0 ? [0] : [...writeVarint(path.length), ...path.flatMap(writeVarint)];
}

const { registry, read, write } = JSON.parse(readFileSync(0, "utf8"));
const out = { read: [], written: [] };
for (const hex of read ?? []) {
  const framed = Buffer.from(hex, "hex");
  if (framed[0] !== 0) throw new Error("no frame: " + hex);
  const [type, at] = chosen(await byID(registry, framed.readInt32BE(1)), framed, 5);
  const value = type.toObject(type.decode(framed.subarray(at)), { longs: String, enums: String, bytes: String, json: true });
  out.read.push({ message: type.fullName.slice(1), value });
}
for (const { id, message, value } of write ?? []) {
  const schema = await byID(registry, id);
  const type = schema.root.lookupType(message);
  const frame = Buffer.alloc(5);
  frame.writeInt32BE(id, 1);
  out.written.push(Buffer.concat([frame, Buffer.from(indexes(schema, message)), type.encode(type.fromObject(value)).finish()]).toString("hex"));
}
process.stdout.write(JSON.stringify(out));
