# The second curl line of source document 000, word for word; the test also puts a thread of ours in the place of theirs.
export API_KEY=pk_9bedc9f...
curl -X POST https://api.staging.prorata.ai/v1/chat/completions \
-H "Authorization: Bearer $API_KEY" \
-H "X-User-ID: test-user" \
-H "Content-Type: application/json" \
-d '{
"messages": [
{ "role": "user", "content": "Why is the sky black at night?" },
{
"role": "assistant",
"metadata": {
"thread_id": "bfb5862e-1772-4f82-9297-7e533e0cca73",
"turn_id": "1"
}
}
]
}'
