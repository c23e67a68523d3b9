// Asks through OpenAI's Node client. Requests are the parameters of `chat.completions.create`.
// Modes: sync, stream, hang-up (leaves after the first words); and with the parameters of their own methods models,
// model, embeddings.
import OpenAI from "openai";
import { serve } from "./lines.mjs";

const MODES = {
  sync: (client, request) => client.chat.completions.create(request),
  stream: async (client, request) => {
    const chunks = [];
    for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) chunks.push(chunk);
    return { chunks };
  },
  "hang-up": async (client, request) => {
    for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
      const heard = chunk.choices[0].delta.content;
      if (heard) return { heard };
    }
    return { heard: null };
  },
  models: async (client) => {
    const models = [];
    for await (const model of client.models.list()) models.push(model);
    return { models };
  },
  model: (client, request) => client.models.retrieve(request.model),
  embeddings: (client, request) => client.embeddings.create(request),
};

await serve(({ url, key, mode, request }) =>
  MODES[mode](new OpenAI({ baseURL: `${url}/v1`, apiKey: key }), request).catch((error) => {
    if (!(error instanceof OpenAI.APIError)) throw error;
    return {
      error: error.constructor.name,
      status: error.status,
      message: error.error.message,
      code: error.code,
      type: error.type,
      param: error.param,
    };
  }),
);
