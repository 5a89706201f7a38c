"""The hands to the database: the seam over two engines, the schema, and one file
of SQL per noun.
"""
