// Asks through @premai/prem-sdk. Requests are the parameters of `chat.completions.create`.
// Modes: sync, stream; file (repository_id, name, content: as a form); else a method by its dotted name, with a list of
// its own parameters.
import prem from "@premai/prem-sdk";
import { serve } from "./lines.mjs";

const Prem = prem.default ?? prem;
const MODES = {
  sync: (client, request) => client.chat.completions.create({ ...request, stream: false }),
  stream: async (client, request) => {
    const response = await client.chat.completions.create({ ...request, stream: true });
    const chunks = [];
    // a stream whose end the client misses leaves this loop waiting for ever
    for await (const chunk of response) chunks.push(chunk);
    return { chunks, trace_id: response.trace_id, document_chunks: response.document_chunks };
  },
  models: async (client) => ({ models: await client.models.list() }),
  model: (client, request) => client.models.retrieve(request.id),
  embeddings: (client, request) => client.embeddings.create(request),
  file: (client, { repository_id, name, content }) => {
    const form = new FormData();
    form.append("file", new Blob([content]), name);
    return client.repository.document.create(repository_id, { data: form });
  },
};

async function call(client, method, parameters) {
  const path = method.split(".");
  const last = path.pop();
  const result = await path.reduce((part, name) => part[name], client)[last](...parameters);
  return Array.isArray(result) ? { items: result } : result;
}

async function told(error) {
  if (typeof error?.pipe !== "function") return error;
  let text = ""; // of a stream that was refused, prem-sdk throws the unread body
  for await (const piece of error) text += piece;
  return { unread: JSON.parse(text) };
}

await serve(({ url, key, mode, request }) => {
  const client = new Prem({ apiKey: key, baseUrl: url });
  const asked = MODES[mode] ? MODES[mode](client, request) : call(client, mode, request.parameters);
  return asked.catch(async (error) => ({ error: await told(error) }));
});
