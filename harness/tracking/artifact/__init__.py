"""One archive that others can check: what is in it, the checklist of its badges, its appendix."""
