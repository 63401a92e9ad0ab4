// Reads a list of {schema, data, json} from stdin: data in hexadecimal, json in the JSON encoding of Avro's specification. Answers
// with what avsc reads of data, and with what it writes of json.
const avro = require('avsc');

const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const answers = cases.map(({schema, data, json}) => {
  try {
    const type = avro.Type.forSchema(JSON.parse(schema), {wrapUnions: true, noAnonymousTypes: false});
    const read = type.toString(type.fromBuffer(Buffer.from(data, 'hex')));
    return {read, written: type.toBuffer(type.fromString(json)).toString('hex')};
  } catch (e) {
    return {error: String(e)};
  }
});
process.stdout.write(JSON.stringify(answers));
