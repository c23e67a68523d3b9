// The documented client of source document 001, word for word but for its base URL and key.
// Arguments: base URL, key. The document's "beareryour_api_key_here" is `Bearer <key>` with the space lost.
const [BASE_URL, API_KEY] = process.argv.slice(2);

async function streamChatCompletion(model, messages) {
  const response = await fetch(`${BASE_URL}/v1/chat/completions`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Authorization: `Bearer ${API_KEY}`,
    },
    body: JSON.stringify({
      model,
      messages,
      stream: true,
    }),
  });

  const reader = response.body.getReader();
  const decoder = new TextDecoder();

  while (true) {
    const { value, done } = await reader.read();
    if (done) break;

    const chunk = decoder.decode(value);
    const lines = chunk.split("\n");

    for (const line of lines) {
      if (line.startsWith("data: ")) {
        if (line.includes("[DONE]")) break;
        const data = JSON.parse(line.slice(6));
        console.log(data.choices[0].delta.content);
      }
    }
  }
}

// Usage
const messages = [{ role: "user", content: "Tell me a joke" }];
streamChatCompletion("default", messages);
