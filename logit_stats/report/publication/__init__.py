"""Tables for publication: rows of variables and levels, columns of models, cells that are numbers; a form for each reader."""
