curl --request POST \
  --url https://app.premai.io/v1/chat/completions \
  --header 'Authorization: <api-key>' \
  --header 'Content-Type: application/json' \
  --data '{
  "project_id": 123,
  "session_id": "<string>",
  "repositories": {
    "ids": [
      123
    ],
    "limit": 3,
    "similarity_threshold": 0.5
  },
  "messages": [
    {
      "role": "user",
      "content": "<string>",
      "template_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
      "params": {}
    }
  ],
  "model": "<string>",
  "system_prompt": "<string>",
  "max_tokens": 1,
  "stream": true,
  "temperature": 1,
  "tools": [
    {
      "type": "function",
      "function": {
        "name": "<string>",
        "description": "<string>",
        "parameters": {
          "type": "<string>",
          "properties": {},
          "required": [
            "<string>"
          ]
        }
      }
    }
  ]
}'
