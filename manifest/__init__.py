"""App packages that administrators upload to Teams and Slack."""
