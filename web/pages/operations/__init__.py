"""Pages about the installation itself: health, jobs, messages, webhooks and the audit trail."""
