"""What a network answers when a part of it is edited, beside matched controls.

`edits`: what is done to units; `operators`: what stands for a removed one, such as the constant
that costs least (`optimal`) or what is left without a direction (`erasing`); `donors`: which image
another's activations are taken from; `answers`: which images are then classified correctly;
`effects`: what that changes, class by class; `controls`: which other units it is compared with.
`removal` edits one layer many times over.
"""
