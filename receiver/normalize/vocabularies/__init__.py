"""Names and words of products: which field means what, and what a deed is called. Tables."""
