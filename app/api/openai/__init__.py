"""OpenAI's and Promptrun's routes."""
