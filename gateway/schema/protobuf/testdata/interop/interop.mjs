// Reads cases from standard input and tells for each what protobufjs makes of the bytes, and how it writes the same object.
// In:  {"files": {path: text}, "cases": [{"root": path, "message": name, "body": base64}]}
// Out: [{"object": {...}, "body": base64} or {"error": text}]
import { readFileSync } from "node:fs";
import protobuf from "protobufjs";

const { files, cases } = JSON.parse(readFileSync(0, "utf8"));

function load(path) {
  const root = new protobuf.Root();
  const todo = [path];
  const seen = new Set();
  while (todo.length > 0) {
    const name = todo.pop();
    if (seen.has(name)) continue;
    seen.add(name);
    const common = protobuf.common.get(name); // the well-known types come with protobufjs
    if (common) {
      root.addJSON(common.nested);
      continue;
    }
    const parsed = protobuf.parse(files[name], root, { keepCase: false });
    todo.push(...(parsed.imports ?? []), ...(parsed.weakImports ?? []));
  }
  root.resolveAll();
  return root;
}

const roots = new Map();
const answers = cases.map((c) => {
  try {
    if (!roots.has(c.root)) roots.set(c.root, load(c.root));
    const type = roots.get(c.root).lookupType(c.message);
    const message = type.decode(Buffer.from(c.body, "base64"));
    const object = type.toObject(message, { longs: String, enums: String, bytes: String, json: true });
    const body = Buffer.from(type.encode(type.fromObject(object)).finish()).toString("base64");
    return { object, body };
  } catch (e) {
    return { error: String(e) };
  }
});
process.stdout.write(JSON.stringify(answers));
