# ruff: noqa  (word for word from source document 000; the test puts our host and key in their places)
import requests
import sseclient

API_KEY = "pk_9bedc9f..."  # Replace with your API key
USER_ID = "test-user"  # Replace with your user ID
url = "https://api.staging.prorata.ai/v1/chat/completions"
headers = {"Authorization": f"Bearer {API_KEY}", "X-User-ID": USER_ID, "Content-Type": "application/json"}
payload = {
    "messages": [{"role": "user", "content": "Why is the sky blue?"}],
    "stream": True,  # Enable streaming mode
}
response = requests.post(url, headers=headers, json=payload, stream=True)
client = sseclient.SSEClient(response)
for event in client.events():
    print(f"Event: {event.event}")
    print(f"Data: {event.data}")
