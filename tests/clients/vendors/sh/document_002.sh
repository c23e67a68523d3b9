curl -X POST https://api.promptrun.ai/v1/chat/completions \
  -H "Authorization: Bearer <API_KEY>" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "anthropic/claude-3.5-haiku",
    "messages": [
      { "role": "system", "content": "You are a helpful assistant." },
      { "role": "user", "content": "Tell me a fun fact about space." }
    ],
    "temperature": 0.5,
    "top_p": 1,
    "stream": false
  }'
