// Makes the requests that Promptrun's SDK (@promptrun-ai/sdk 1.0.1, which no registry has) makes, by plain fetch.
// Modes: prompt (GET, parameters of the query), follow (the first event of the stream, and the next one after it has added
// the version `add` to the prompt), complete.
import { serve } from "./lines.mjs";

const events = async function* (response) {
  let rest = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    rest += text;
    const whole = rest.split("\n\n");
    rest = whole.pop();
    for (const event of whole) {
      for (const line of event.split("\n")) if (line.startsWith("data:")) yield line.slice(5).trim();
    }
  }
};

const refusal = async (response) => ({ status: response.status, body: await response.json() });

const MODES = {
  prompt: async (base, headers, query) => {
    const response = await fetch(`${base}/prompt?${new URLSearchParams(query)}`, { headers });
    return response.ok ? response.json() : refusal(response);
  },
  follow: async (base, headers, { add, ...query }) => {
    const response = await fetch(`${base}/prompt/stream?${new URLSearchParams(query)}`, { headers });
    if (!response.ok) return refusal(response);
    const versions = [];
    for await (const data of events(response)) {
      versions.push(JSON.parse(data));
      if (versions.length === 2) break; // hangs up
      await fetch(`${base}/prompts/${query.projectId}/versions`, {
        method: "POST",
        headers: { ...headers, "Content-Type": "application/json" },
        body: JSON.stringify(add),
      });
    }
    return { versions };
  },
  complete: async (base, headers, { promptId, ...body }) => {
    const response = await fetch(`${base}/chat/completions`, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json", ...(promptId && { "HTTP-Prompt-Id": promptId }) },
      body: JSON.stringify({ ...body, stream: true }),
    });
    if (!response.ok) return refusal(response);
    let text = "";
    let usage = null;
    for await (const data of events(response)) {
      if (data === "[DONE]") break;
      const chunk = JSON.parse(data);
      text += chunk.choices[0].delta.content ?? "";
      if (chunk.choices[0].finish_reason) usage = chunk.usage; // where the SDK looks for it
    }
    return { text, usage };
  },
};

await serve(({ url, key, mode, request }) => MODES[mode](`${url}/v1`, { Authorization: `Bearer ${key}` }, request));
