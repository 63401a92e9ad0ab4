// A consumer and a producer of their own: schemas are asked of the registry over its API, by the ids in frames.
// In:  {registry: URL, read: [hex of a framed value], write: [{id, value}]}; values in the JSON encoding of Avro's specification
// Out: {read: [value], written: [hex]}
const avro = require('avsc');

async function ask(registry, path) {
  const answer = await fetch(registry + path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

// define reads a schema after those that it refers to, into one set of named types.
async function define(registry, {schema, references}, known) {
  for (const {subject, version} of references ?? []) {
    await define(registry, await ask(registry, `/subjects/${encodeURIComponent(subject)}/versions/${version}`), known);
  }
  return avro.Type.forSchema(JSON.parse(schema), {wrapUnions: true, registry: known});
}

const known = new Map();

async function byID(registry, id) {
  if (!known.has(id)) known.set(id, await define(registry, await ask(registry, `/schemas/ids/${id}`), {}));
  return known.get(id);
}

async function main() {
  const {registry, read, write} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const out = {read: [], written: []};
  for (const hex of read ?? []) {
    const framed = Buffer.from(hex, 'hex');
    if (framed[0] !== 0) throw new Error('no frame: ' + hex);
    const type = await byID(registry, framed.readInt32BE(1));
    out.read.push(JSON.parse(type.toString(type.fromBuffer(framed.subarray(5)))));
  }
  for (const {id, value} of write ?? []) {
    const type = await byID(registry, id);
    const frame = Buffer.alloc(5);
    frame.writeInt32BE(id, 1);
    out.written.push(Buffer.concat([frame, type.toBuffer(type.fromString(JSON.stringify(value)))]).toString('hex'));
  }
  process.stdout.write(JSON.stringify(out));
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
