"""The process that reads media: it forks a child for each job, which is locked down before it looks at a file."""
