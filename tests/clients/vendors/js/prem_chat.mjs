// Asks through @premai/prem-sdk. Requests are the parameters of `chat.completions.create`.
// Modes: sync, stream; and with the parameters of their own methods models, model, embeddings.
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
};

await serve(({ url, key, mode, request }) =>
  MODES[mode](new Prem({ apiKey: key, baseUrl: url }), request).catch((error) => ({ error })),
);
