// Calls Stytch's Node SDK: reads one JSON array [method, ...arguments] per line, writes one result per line.
import { createInterface } from "node:readline";
import stytch from "stytch";

const [baseUrl, project_id, secret] = process.argv.slice(2);
const fetchAnywhere = globalThis.fetch;
globalThis.fetch = (url, options) => {
  if (!String(url).startsWith(baseUrl)) throw new Error(`unexpected request to ${url}`);
  return fetchAnywhere(url, options);
};
const client = new stytch.B2BClient({ project_id, secret, env: `${baseUrl}/`, fraud_env: `${baseUrl}/` });

async function call(line) {
  const [method, ...parameters] = JSON.parse(line);
  const names = method.split(".");
  const name = names.pop();
  const owner = names.reduce((object, part) => object[part], client);
  try {
    return { value: await owner[name](...parameters) };
  } catch (error) {
    const { status_code, error_type, request_id, message } = error;
    return { error: { status_code, error_type, request_id, message } };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await call(line)));
}
