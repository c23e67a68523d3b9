// Asks through @premai/prem-sdk. Arguments: base URL, key, sync|stream, parameters of `create` as JSON.
import prem from "@premai/prem-sdk";

const Prem = prem.default ?? prem;
const [baseUrl, apiKey, mode, request] = process.argv.slice(2);
const client = new Prem({ apiKey, baseUrl });

async function ask(parameters) {
  if (mode === "sync") return client.chat.completions.create({ ...parameters, stream: false });
  const response = await client.chat.completions.create({ ...parameters, stream: true });
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return { chunks, trace_id: response.trace_id, document_chunks: response.document_chunks };
}

// a stream whose end the client misses leaves this await unsettled: Node then exits with 13
const outcome = await ask(JSON.parse(request)).catch((error) => ({ error }));
console.log(JSON.stringify(outcome));
