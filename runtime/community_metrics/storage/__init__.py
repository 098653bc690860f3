"""LanceDB, embedded or Enterprise, behind one reader and one store."""
