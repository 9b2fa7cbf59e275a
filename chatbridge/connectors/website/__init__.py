"""The website chat: what its visitors' browsers run, and what answers them."""
