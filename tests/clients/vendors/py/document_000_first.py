# ruff: noqa  (word for word from source document 000; the test puts our host and key in their places)
import requests

API_KEY = "pk_9bedc9f..."  # Replace with your API key
USER_ID = "test-user"  # Replace with your user ID
url = "https://api.staging.prorata.ai/v1/chat/completions"
headers = {"Authorization": f"Bearer {API_KEY}", "X-User-ID": USER_ID, "Content-Type": "application/json"}
payload = {"messages": [{"role": "user", "content": "Why is the sky blue?"}]}
# stream=False by default; omit or set explicitly if desired
response = requests.post(url, headers=headers, json=payload)
if response.ok:
    print("Response JSON:")
    print(response.json())
else:
    print(f"Error {response.status_code}: {response.text}")
