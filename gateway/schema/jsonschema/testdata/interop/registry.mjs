// A consumer and a producer of their own: schemas are asked of the registry over its API, by the ids in frames.
// In:  {registry: URL, read: [hex of a framed value], write: [{id, value}]}
// Out: {read: [value], written: [hex]}; a value that does not fit is an error
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import Ajv from "ajv";
import Ajv2019 from "ajv/dist/2019.js";
import Ajv2020 from "ajv/dist/2020.js";
import Ajv4 from "ajv-draft-04";
import addFormats from "ajv-formats";

const require = createRequire(import.meta.url);
const drafts = [["draft-04", Ajv4], ["draft-06", Ajv], ["draft-07", Ajv], ["2019-09", Ajv2019], ["2020-12", Ajv2020]];

async function ask(registry, path) {
  const answer = await fetch(registry + path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

// refer adds the schemas that another one refers to, under the names by which it does.
async function refer(registry, ajv, references) {
  for (const { name, subject, version } of references ?? []) {
    const answer = await ask(registry, `/subjects/${encodeURIComponent(subject)}/versions/${version}`);
    await refer(registry, ajv, answer.references);
    if (!ajv.getSchema(name)) ajv.addSchema(JSON.parse(answer.schema), name);
  }
}

const known = new Map();

async function byID(registry, id) {
  if (!known.has(id)) known.set(id, await compile(registry, id));
  return known.get(id);
}

async function compile(registry, id) {
  const answer = await ask(registry, `/schemas/ids/${id}`);
  if (answer.schemaType !== "JSON") throw new Error(`schema ${id} is of ${answer.schemaType}`);
  const schema = JSON.parse(answer.schema);
  const [, Draft] = drafts.find(([name]) => (schema.$schema ?? "draft-07").includes(name));
  const ajv = new (Draft.default ?? Draft)({ strict: false });
  if (schema.$schema?.includes("draft-06")) ajv.addMetaSchema(require("ajv/dist/refs/json-schema-draft-06.json"));
  (addFormats.default ?? addFormats)(ajv);
  await refer(registry, ajv, answer.references);
  return ajv.compile(schema);
}

async function validated(registry, id, value) {
  const validate = await byID(registry, id);
  if (!validate(value)) throw new Error(`schema ${id}: ${JSON.stringify(validate.errors)}`);
  return value;
}

const { registry, read, write } = JSON.parse(readFileSync(0, "utf8"));
const out = { read: [], written: [] };
for (const hex of read ?? []) {
  const framed = Buffer.from(hex, "hex");
  if (framed[0] !== 0) throw new Error("no frame: " + hex);
  out.read.push(await validated(registry, framed.readInt32BE(1), JSON.parse(framed.subarray(5))));
}
for (const { id, value } of write ?? []) {
  const frame = Buffer.alloc(5);
  frame.writeInt32BE(id, 1);
  out.written.push(Buffer.concat([frame, Buffer.from(JSON.stringify(await validated(registry, id, value)))]).toString("hex"));
}
process.stdout.write(JSON.stringify(out));
