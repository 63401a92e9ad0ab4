// Reads cases from standard input and tells for each what ajv says to the value.
// In:  [{"draft": 4 | 6 | 7 | 2019 | 2020, "schema": {...}, "references": {name: {...}}, "value": any}]
// Out: [{"valid": true} or {"valid": false, "path": pointer} or {"error": text}]
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import Ajv from "ajv";
import Ajv2019 from "ajv/dist/2019.js";
import Ajv2020 from "ajv/dist/2020.js";
import Ajv4 from "ajv-draft-04";
import addFormats from "ajv-formats";

const require = createRequire(import.meta.url);
const classes = { 4: Ajv4, 6: Ajv, 7: Ajv, 2019: Ajv2019, 2020: Ajv2020 };

function check(c) {
  const Class = classes[c.draft].default ?? classes[c.draft];
  const ajv = new Class({ strict: false, allErrors: false });
  if (c.draft === 6) ajv.addMetaSchema(require("ajv/dist/refs/json-schema-draft-06.json"));
  (addFormats.default ?? addFormats)(ajv);
  for (const [name, schema] of Object.entries(c.references ?? {})) ajv.addSchema(schema, name);
  const validate = ajv.compile(c.schema);
  return validate(c.value) ? { valid: true } : { valid: false, path: validate.errors[0].instancePath };
}

const answers = JSON.parse(readFileSync(0, "utf8")).map((c) => {
  try {
    return check(c);
  } catch (e) {
    return { error: String(e) };
  }
});
process.stdout.write(JSON.stringify(answers));
