"""The verbs, driven on both databases against emulated providers over real HTTP."""
