// Usage: check.mjs URL SDL...: every SDL is valid and equals what introspection at the URL tells.
import { readFileSync } from "node:fs";
import { buildClientSchema, buildSchema, getIntrospectionQuery, lexicographicSortSchema, printSchema, validateSchema } from "graphql";

const [url, ...files] = process.argv.slice(2);
const response = await fetch(url, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ query: getIntrospectionQuery({ descriptions: true, specifiedByUrl: true, inputValueDeprecation: true, oneOf: true }) }),
});
const { data, errors } = await response.json();
if (errors) throw new Error(JSON.stringify(errors));
const told = buildClientSchema(data);
const print = (schema) => printSchema(lexicographicSortSchema(schema));

const undescribed = [];
for (const type of Object.values(told.getTypeMap())) {
  if (type.name.startsWith("__")) continue;
  const builtIn = ["String", "Int", "Float", "Boolean", "ID"].includes(type.name);
  if (!type.description && !builtIn) undescribed.push(type.name);
  for (const field of Object.values(type.getFields?.() ?? {})) {
    if (!field.description) undescribed.push(`${type.name}.${field.name}`);
    for (const argument of field.args ?? []) {
      if (!argument.description) undescribed.push(`${type.name}.${field.name}(${argument.name})`);
    }
  }
  for (const value of type.getValues?.() ?? []) if (!value.description) undescribed.push(`${type.name}.${value.name}`);
}
if (undescribed.length) throw new Error(`without a description: ${undescribed.join(", ")}`);

for (const file of files) {
  const schema = buildSchema(readFileSync(file, "utf8"));
  const mistakes = validateSchema(schema);
  if (mistakes.length) throw new Error(`${file}: ${mistakes.join("\n")}`);
  if (print(schema) !== print(told)) throw new Error(`${file} differs from what introspection tells`);
}
console.log(`${Object.keys(told.getTypeMap()).length} types, all described; ${files.length} files equal to introspection`);
