"""What a network answers when a part of it is edited, beside matched controls.

`edits`: what is done to units; `donors`: which image another's activations are taken from;
`answers`: which images are then classified correctly; `effects`: what that changes, class by class;
`controls`: which other units it is compared with. `removal` edits one layer many times over.
"""
