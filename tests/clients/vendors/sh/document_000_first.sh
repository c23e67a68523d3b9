# The first curl line of source document 000, word for word; the test puts our host and our key in their places.
export API_KEY=pk_9bedc9f...
curl -X POST https://api.staging.prorata.ai/v1/chat/completions \
-H "Authorization: Bearer $API_KEY" \
-H "X-User-ID: test-user" \
-H "Content-Type: application/json" \
-d '{
"messages": [
{ "role": "user", "content": "Why is the sky blue?" }
]
}'
