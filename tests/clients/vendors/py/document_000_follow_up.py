# ruff: noqa  (word for word from source document 000; runs after document_000_first.py, in the same process)
# Assumes imports and variables (API_KEY, USER_ID, url, headers) defined as above
payload = {
    "messages": [
        {"role": "user", "content": "Why is the sky black at night?"},
        {"role": "assistant", "metadata": {"thread_id": "bfb5862e-1772-4f82-9297-7e533e0cca73", "turn_id": "1"}},
    ]
}
response = requests.post(url, headers=headers, json=payload)
if response.ok:
    print("Follow-up response JSON:")
    print(response.json())
else:
    print(f"Error {response.status_code}: {response.text}")
