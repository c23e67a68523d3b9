// Asks through openai's Node client. Arguments: base URL, key, sync|stream, parameters of `create` as JSON.
import OpenAI from "openai";

const [baseUrl, apiKey, mode, request] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey });

async function ask(parameters) {
  if (mode === "sync") return client.chat.completions.create(parameters);
  const chunks = [];
  for await (const chunk of await client.chat.completions.create({ ...parameters, stream: true })) chunks.push(chunk);
  return { chunks };
}

const outcome = await ask(JSON.parse(request)).catch((error) => {
  if (!(error instanceof OpenAI.APIError)) throw error;
  return {
    error: error.constructor.name,
    status: error.status,
    message: error.error.message,
    code: error.code,
    type: error.type,
    param: error.param,
  };
});
console.log(JSON.stringify(outcome));
