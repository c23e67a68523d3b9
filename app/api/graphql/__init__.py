"""The chatbot's GraphQL: todos (the content-gap list), and a view of repositories, documents, threads and traces."""
