"""OpenAI's and Promptrun's wire formats."""
