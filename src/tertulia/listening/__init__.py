"""What others publish: the articles of the brand's feeds, as each person of the team reads them."""
