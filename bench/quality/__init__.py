"""How well each rule judges: labelled sets, and fleets in which every page is false (`make quality`)."""
