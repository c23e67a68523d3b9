// Asks through OpenAI's Node client. Requests are the parameters of `chat.completions.create`.
// Modes: sync, stream, hang-up (leaves after the first words), parse (into a loan), add-up (the helper that adds a
// stream up); and with the parameters of their own methods models, model, embeddings.
// Not sent but heeded: `base` (the path, /v1 unless said) and `max_retries`.
import OpenAI from "openai";
import { makeParseableResponseFormat } from "openai/lib/parser";
import { serve } from "./lines.mjs";

const LOAN = makeParseableResponseFormat(
  {
    type: "json_schema",
    json_schema: {
      name: "loan",
      strict: true,
      schema: {
        type: "object",
        properties: { who: { type: "string" }, days: { type: "integer" } },
        required: ["who", "days"],
        additionalProperties: false,
      },
    },
  },
  (text) => JSON.parse(text),
);

const parsed = ({ choices }) => ({
  parsed: choices.map(({ message }) => message.parsed ?? null),
  refusals: choices.map(({ message }) => message.refusal ?? null),
});

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
  parse: async (client, request) =>
    parsed(await client.chat.completions.parse({ ...request, response_format: LOAN })),
  "add-up": async (client, request) =>
    parsed(await client.chat.completions.stream({ ...request, response_format: LOAN }).finalChatCompletion()),
  models: async (client) => {
    const models = [];
    for await (const model of client.models.list()) models.push(model);
    return { models };
  },
  model: (client, request) => client.models.retrieve(request.model),
  embeddings: (client, request) => client.embeddings.create(request),
};

await serve(({ url, key, mode, request: { base = "/v1", max_retries: maxRetries = 2, ...request } }) =>
  MODES[mode](new OpenAI({ baseURL: url + base, apiKey: key, maxRetries }), request).catch((error) => {
    if (!(error instanceof OpenAI.APIError)) throw error;
    return {
      error: error.constructor.name,
      status: error.status,
      message: error.error.message,
      code: error.code,
      type: error.type,
      param: error.param,
      request_id: error.requestID,
      retry_after: error.headers?.get("retry-after") ?? null,
    };
  }),
);
