// Reads {registry, values} from stdin: values in hexadecimal, with the frame of a schema registry. Answers with their JSON, each
// read with the schema that the registry at that URL has for the id in the frame.
const avro = require('avsc');

async function main() {
  const {registry, values} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const out = [];
  for (const hex of values) {
    const framed = Buffer.from(hex, 'hex');
    if (framed[0] !== 0) throw new Error('no frame: ' + hex);
    const answer = await fetch(`${registry}/schemas/ids/${framed.readInt32BE(1)}`);
    const type = avro.Type.forSchema(JSON.parse((await answer.json()).schema), {wrapUnions: true});
    out.push(JSON.parse(type.toString(type.fromBuffer(framed.subarray(5)))));
  }
  process.stdout.write(JSON.stringify(out));
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
