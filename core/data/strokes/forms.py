"""The pen strokes of the ten digits as text: knots that a smooth pen passes through, with parts.

    form curved 0.4 crossbar 0.13 hook 0.2
    top-bar 0,10 28,6 52,1 stem 62,10 56,34 48,64 44,100
    crossbar 24,54 50,52 76,50

A `form` line gives the name, the share of the digit, and for each optional part the probability
that the form is written with it; every form of a digit has the same optional parts, so that any
digit can be drawn with and without them. Then comes a line for each stroke: a word begins a part at
the knot before it, "x,y" is a knot in hundredths of the digit's height (x right, y down), "/"
makes the knot before it a corner, a final "o" closes a ring, and a line that begins with a knot
goes on with the stroke above. Equal knots of one form move together.

The forms were first drawn by eye, then fitted to MNIST's training images (LeCun et al. 1998) by
gradient descent on knots, pen, slant and width: every form stands for a cluster of digits that one
drawn form fitted best, its knots are their mean, and its share is theirs. Forms from one drawing
bear its name and a number.
"""

_ZERO = """
form oval 0.177 slash 0.08
ring 48,0 24,18 1,53 0,91 22,100 59,82 80,45 69,10 o
slash 79,7 40,49 -9,96
form oval-2 0.087 slash 0.08
ring 17,0 5,16 0,50 10,86 32,100 59,85 62,49 37,15 o
slash 50,11 28,49 0,93
form wide 0.16 slash 0.08
ring 43,0 17,10 0,52 9,86 43,100 84,78 80,37 54,14 o
slash 59,9 43,44 -1,94
form open 0.184 slash 0.08
ring 50,8 30,4 11,28 0,59 9,90 33,100 66,85 79,49 62,12 42,0 32,15
slash 72,10 37,53 1,96
form open-2 0.145 slash 0.08
ring 54,6 36,10 18,34 4,59 0,91 14,100 48,83 68,50 61,11 45,0 38,19
slash 69,12 33,54 -7,90
form open-3 0.093 slash 0.08
ring 50,6 19,0 7,22 0,57 15,87 48,100 90,90 106,50 71,2 34,2 24,18
slash 87,-6 44,54 5,97
form open-4 0.092 slash 0.08
ring 72,4 41,8 18,29 0,63 8,93 37,100 77,88 104,49 87,6 57,0 44,20
slash 101,4 46,56 1,97
form open-5 0.062 slash 0.08
ring 62,6 21,21 10,45 1,67 0,91 23,100 70,87 101,43 79,0 37,7 28,50
slash 88,-13 35,68 -4,92
"""

_ONE = """
form plain 0.7 serif 0.06 base 0.02
stem 30,0 30,50 30,100
serif 30,0 20,12 7,22
base 3,100 30,100 58,99
form bowed 0.1 serif 0.06 base 0.02
stem 30,0 26,50 30,100
serif 30,0 20,12 7,22
base 3,100 30,100 58,99
form bowed-2 0.1 serif 0.06 base 0.02
stem 30,0 34,50 30,100
serif 30,0 20,12 7,22
base 3,100 30,100 58,99
form printed 0.1 serif 0.85 base 0.7
stem 36,0 35,50 35,100
serif 36,0 22,13 3,26
base 0,100 35,100 72,99
"""

_TWO = """
form round 0.09 loop 0.40
arch 0,16 11,4 36,0 56,13 60,36 diagonal 46,68 12,100 / foot 45,90 80,89
loop 12,100 -6,107 -17,97 2,88 26,88 12,100
form looping 0.131 loop 0.67
arch 0,10 13,0 35,1 51,15 53,41 diagonal 42,65 21,84 / foot 44,84 67,100 87,99
loop 21,84 3,97 -16,95 -5,78 17,73 21,84
form curling 0.058 loop 0.94
arch 0,36 7,17 39,0 64,13 72,44 diagonal 68,69 57,88 / foot 82,96 111,100
loop 57,88 37,109 5,115 -7,94 7,75 32,75 57,88
form swinging 0.132 loop 0.74
arch 0,15 11,1 33,0 52,13 57,40 diagonal 46,67 28,88 / foot 58,93 90,100
loop 28,88 9,107 -23,118 -31,100 -10,84 14,82 28,88
form swinging-2 0.118 loop 0.95
arch 0,20 12,5 34,0 54,15 62,42 diagonal 57,67 46,85 / foot 64,95 71,100
loop 46,85 28,103 -2,109 -12,92 6,75 29,75 46,85
form swinging-3 0.063 loop 0.95
arch 0,10 9,2 24,0 38,11 47,34 diagonal 46,53 38,68 / foot 56,80 71,100
loop 38,68 23,87 -18,100 -26,80 -1,61 24,60 38,68
form swinging-4 0.058 loop 0.95
arch 0,8 6,0 27,5 52,22 70,51 diagonal 75,81 63,97 / foot 79,100 84,95
loop 63,97 46,114 8,119 -7,96 16,83 44,88 63,97
form wide 0.133 loop 0.57
arch 0,8 21,0 53,0 77,16 72,48 diagonal 49,73 14,100 / foot 53,89 88,95 121,98
loop 14,100 -27,111 -37,91 -6,76 25,77 14,100
form wide-2 0.061 loop 0.39
arch 0,8 13,1 36,0 56,14 51,45 diagonal 34,68 16,92 / foot 44,90 105,100 149,96
loop 16,92 -13,106 -20,91 0,76 18,76 16,92
form wide-3 0.048 loop 0.49
arch 0,4 8,0 35,12 56,30 57,58 diagonal 37,76 19,100 / foot 47,97 84,78 129,79
loop 19,100 -2,106 -12,94 3,81 16,84 19,100
form zed 0.108 loop 0.32
arch 0,6 23,0 48,1 58,13 diagonal 47,43 26,71 11,100 / foot 45,99 87,94
loop 11,100 0,105 -6,101 5,90 17,83 11,100
"""

_THREE = """
form round 0.13
upper-bowl 5,6 21,0 58,0 70,14 52,38 21,49 / lower-bowl 59,47 79,67 69,91 25,100 0,86
form round-2 0.113
upper-bowl 28,13 45,5 71,0 81,11 64,36 34,53 / lower-bowl 70,44 91,64 75,88 30,100 0,90
form round-3 0.099
upper-bowl 0,7 24,0 59,1 74,12 58,29 36,41 / lower-bowl 68,40 95,62 80,92 36,100 16,88
form round-4 0.098
upper-bowl 0,7 13,0 52,1 65,13 44,33 13,49 / lower-bowl 53,40 83,61 72,90 31,100 12,91
form round-5 0.085
upper-bowl 5,7 15,0 41,4 51,21 31,42 5,53 / lower-bowl 37,49 66,67 58,92 20,100 0,89
form round-6 0.06
upper-bowl 0,24 21,8 58,0 71,12 57,34 34,45 / lower-bowl 65,41 89,67 73,96 21,100 4,77
form waved 0.128
upper-bowl 0,10 15,0 48,2 55,18 32,41 12,52 / lower-bowl 39,46 65,61 65,87 39,100 23,99
form flowing 0.118
upper-bowl 16,8 42,0 70,1 73,14 54,36 36,48 lower-bowl 51,48 70,60 71,80 42,100 10,100 0,84
form flowing-2 0.076
upper-bowl 0,1 20,0 45,10 48,23 33,42 21,48 lower-bowl 32,55 49,67 56,83 36,100 17,100 13,93
form flowing-3 0.066
upper-bowl 0,5 15,0 38,6 38,17 18,34 5,42 lower-bowl 18,48 40,61 48,81 27,97 9,100 5,95
form flat 0.027
top-bar 0,2 24,0 62,4 / diagonal 44,17 26,34 / lower-bowl 65,39 91,62 76,93 41,100 21,93
"""

_FOUR = """
form upright 0.133 closing 0.02
arm 3,6 0,30 0,57 / bar 34,56 64,58 70,57
stem 60,0 62,27 64,58 68,100
closing 3,6 37,3 60,0
form upright-2 0.108 closing 0.02
arm 16,5 9,28 0,53 / bar 26,53 55,51 84,44
stem 68,0 63,22 55,51 48,100
closing 16,5 42,3 68,0
form upright-3 0.103 closing 0.02
arm 10,12 6,29 0,46 / bar 25,47 48,49 60,46
stem 54,0 52,23 48,49 40,100
closing 10,12 36,6 54,0
form upright-4 0.059 closing 0.02
arm 18,12 10,40 0,66 / bar 24,68 54,66 85,59
stem 74,0 66,31 54,66 44,100
closing 18,12 46,10 74,0
form cursive 0.12 closing 0.02
arm 10,0 6,23 0,46 bar 11,49 41,45 66,39 / stem 64,10
stem 66,39 64,68 69,100
closing 10,0 38,1 64,10
form cursive-2 0.093 closing 0.02
arm 12,0 6,30 0,57 bar 9,63 31,61 49,51 / stem 52,20
stem 49,51 45,77 47,100
closing 12,0 33,9 52,20
form wide 0.125 closing 0.02
arm 23,18 12,40 0,60 / bar 28,60 49,59 63,55
stem 72,0 62,29 49,59 35,100
closing 23,18 48,11 72,0
form wide-2 0.094 closing 0.02
arm 25,3 16,27 0,50 / bar 32,42 57,44 66,40
stem 74,0 67,19 57,44 39,100
closing 25,3 53,-3 74,0
form pointed 0.095 closing 0.50
arm 19,8 10,22 0,47 / bar 20,48 43,49 66,46
stem 42,0 43,17 43,49 47,100
closing 19,8 37,0 42,0
form pointed-2 0.07 closing 0.50
arm 22,29 10,49 0,69 / bar 16,67 44,67 75,65
stem 65,0 54,31 44,67 36,100
closing 22,29 48,13 65,0
"""

_FIVE = """
form cornered 0.113
top-bar 60,0 38,8 10,10 / stem 6,28 2,46 / bowl 30,38 64,49 74,75 51,100 9,100 0,84
form cornered-2 0.101
top-bar 65,3 33,0 1,0 / stem 0,29 2,51 / bowl 28,44 65,53 79,77 64,97 31,100 16,89
form cornered-3 0.1
top-bar 56,5 24,5 4,0 / stem 6,26 7,50 / bowl 25,44 50,54 61,76 46,94 19,100 0,93
form cornered-4 0.094
top-bar 69,0 50,4 20,11 / stem 12,31 6,51 / bowl 33,44 61,56 70,80 54,98 18,100 0,80
form cornered-5 0.018
top-bar 69,5 21,0 6,9 / stem 0,36 9,62 / bowl 18,53 45,70 62,93 58,100 36,91 13,80
form separate 0.183
stem 19,13 10,32 0,50 / bowl 30,49 56,61 58,84 36,99 14,100 1,91
top-bar 24,15 57,10 93,0
form separate-2 0.092
stem 44,8 35,31 25,52 / bowl 53,47 71,60 67,79 44,95 16,100 0,87
top-bar 48,9 76,5 99,0
form separate-3 0.041
stem 37,8 23,30 15,51 / bowl 49,52 74,68 68,87 44,97 17,100 0,89
top-bar 46,10 93,8 131,0
form separate-4 0.027
stem 26,6 18,24 12,39 / bowl 40,43 59,54 63,77 46,97 19,100 0,89
top-bar 27,13 44,3 58,0
form short 0.102
top-bar 110,0 64,4 22,8 / stem 11,26 0,43 / bowl 22,52 50,66 47,89 21,100 1,98
form snake 0.129
top-bar 66,0 38,2 15,10 stem 3,25 12,40 bowl 32,55 48,73 44,90 20,100 0,91
"""

_SIX = """
form flowing 0.174
stem 39,0 19,26 3,59 bowl 0,87 15,100 41,93 53,74 44,62 19,73 5,91
form flowing-2 0.091
stem 35,0 14,30 0,66 bowl 2,90 18,100 44,94 56,80 45,72 22,84 8,93
form flowing-3 0.052
stem 38,0 17,28 0,67 bowl 0,90 12,100 28,98 37,89 27,81 13,83 5,94
form wide 0.123
stem 49,0 24,17 5,49 bowl 0,76 14,100 42,98 52,78 39,61 18,60 5,71
form upright 0.141
stem 26,0 12,31 0,71 bowl 13,97 44,100 66,87 74,66 62,53 43,70 36,96
form upright-2 0.125
stem 19,0 2,25 0,61 bowl 13,89 37,100 68,89 76,66 57,53 28,66 27,91
form upright-3 0.083
stem 34,0 12,33 0,71 bowl 14,94 37,100 64,88 73,71 60,63 38,76 28,95
form upright-4 0.05
stem 12,0 3,31 0,71 bowl 18,95 44,100 66,90 79,74 62,63 45,77 36,97
form spiral 0.092
stem 50,0 32,16 7,53 bowl 0,83 20,100 56,96 73,74 55,59 28,70 25,89 44,91
form circle 0.069
stem 23,0 8,32 0,68
bowl 0,68 10,92 29,100 50,89 54,70 41,56 17,57 0,68
"""

_SEVEN = """
form straight 0.174 crossbar 0.13 hook 0.20
top-bar 0,3 35,1 71,0 / stem 61,29 45,63 28,100
crossbar 22,53 50,51 76,47
hook 0,3 0,11 1,21
form straight-2 0.055 crossbar 0.13 hook 0.20
top-bar 0,27 23,7 62,0 / stem 50,36 37,68 28,100
crossbar 15,58 38,58 57,57
hook 0,27 -2,33 -1,43
form curved 0.145 crossbar 0.13 hook 0.20
top-bar 0,0 30,1 58,0 stem 64,5 62,33 55,67 51,100
crossbar 29,53 58,51 79,46
hook 0,0 2,11 2,21
form curved-2 0.105 crossbar 0.13 hook 0.20
top-bar 0,12 23,1 51,0 stem 64,9 65,36 56,67 45,100
crossbar 26,53 58,53 88,57
hook 0,12 3,20 1,32
form curved-3 0.094 crossbar 0.13 hook 0.20
top-bar 0,0 33,4 65,7 stem 79,12 78,34 64,68 56,100
crossbar 39,57 72,55 104,50
hook 0,0 7,12 9,25
form curved-4 0.076 crossbar 0.13 hook 0.20
top-bar 0,4 45,0 84,3 stem 95,6 88,33 76,67 66,100
crossbar 56,61 81,56 102,42
hook 0,4 4,14 6,23
form wavy 0.158 crossbar 0.13 hook 0.20
top-bar 0,7 18,3 40,2 57,0 / stem 45,27 26,64 9,100
crossbar 1,53 33,46 63,46
hook 0,7 -8,19 -15,36
form wavy-2 0.108 crossbar 0.13 hook 0.20
top-bar 0,0 9,11 32,10 51,2 / stem 43,34 34,68 25,100
crossbar 5,54 36,53 68,49
hook 0,0 -8,14 -16,31
form wavy-3 0.085 crossbar 0.13 hook 0.20
top-bar 0,1 11,3 26,2 40,0 / stem 30,29 17,64 8,100
crossbar -6,50 23,47 48,47
hook 0,1 -8,13 -18,29
"""

_EIGHT = """
form one-stroke 0.106
upper-loop 44,8 26,0 3,13 0,27 14,46 lower-loop 35,70 36,92 14,100 2,88 3,71 14,46 upper-loop
  33,21 44,8
form one-stroke-2 0.098
upper-loop 52,14 32,0 10,14 7,34 22,55 lower-loop 37,78 39,97 16,100 0,91 2,76 22,55 upper-loop
  45,31 52,14
form one-stroke-3 0.094
upper-loop 62,7 38,0 0,8 3,25 36,45 lower-loop 60,69 55,91 28,100 11,90 15,68 36,45 upper-loop
  56,24 62,7
form open 0.174
upper-loop 42,10 30,0 0,14 1,34 20,53 lower-loop 34,73 31,94 12,100 0,89 5,70 20,53 upper-loop
  46,27 63,9
form open-2 0.103
upper-loop 47,13 31,0 0,12 4,28 31,46 lower-loop 50,68 48,93 25,100 4,88 13,65 31,46 upper-loop
  52,28 62,14
form open-3 0.052
upper-loop 55,14 48,0 23,15 21,40 34,53 lower-loop 38,74 39,94 17,100 0,91 14,72 34,53 upper-loop
  64,28 61,10
form open-4 0.043
upper-loop 47,12 36,0 9,13 13,33 43,47 lower-loop 60,67 52,94 14,100 0,82 11,59 43,47 upper-loop
  61,23 49,9
form small-foot 0.125
upper-loop 57,5 34,0 4,14 4,36 19,58 lower-loop 30,80 27,97 11,100 0,88 7,72 28,51 upper-loop
  55,25 57,5
form small-foot-2 0.114
upper-loop 50,7 28,0 0,18 5,34 33,49 lower-loop 54,74 50,95 32,100 20,87 24,66 36,44 upper-loop
  51,24 50,7
form small-foot-3 0.026
upper-loop 60,12 33,0 0,12 12,34 43,56 lower-loop 58,80 44,94 26,100 19,90 32,73 49,52 upper-loop
  65,29 60,12
form narrow 0.038
upper-loop 45,2 26,0 2,14 11,41 38,52 lower-loop 45,70 46,100 18,100 0,86 11,67 38,52
upper-loop 50,15 45,2
form circles 0.027
upper-loop 32,46 0,36 1,14 22,0 38,10 47,33 o
lower-loop 32,46 6,64 8,92 37,100 64,88 59,58 o
"""

_NINE = """
form straight 0.058
bowl 46,8 27,0 5,11 0,34 18,42 41,31 46,8 / stem 44,47 50,100
form flowing 0.073
bowl 43,4 25,0 2,18 0,33 21,35 39,22 47,11 / stem 38,38 27,70 16,100
form flowing-2 0.084
bowl 49,13 34,0 0,18 1,38 23,43 44,35 51,23 / stem 40,50 29,73 17,100
form flowing-3 0.067
bowl 58,2 36,0 4,24 0,45 29,45 52,25 59,8 / stem 48,42 31,74 17,100
form swung 0.113
bowl 52,8 37,0 13,12 0,37 10,48 35,43 50,27 / stem 43,55 34,77 26,100
form swung-2 0.099
bowl 50,8 36,0 14,11 0,33 8,43 28,36 44,18 / stem 36,48 28,75 24,100
form apart 0.101
bowl 46,5 25,0 0,20 6,39 35,36 53,21
stem 56,11 55,49 57,100
form shouldered 0.116
bowl 42,21 33,38 12,44 0,34 11,10 30,0 44,6 stem 45,26 44,60 46,100
form shouldered-2 0.099
bowl 51,27 40,44 14,48 0,33 9,8 32,0 51,9 stem 54,32 48,65 44,100
form circle 0.055
bowl 57,31 47,51 24,59 0,47 0,17 25,0 48,9 o
stem 57,31 55,66 55,100
form tall 0.065
bowl 51,15 30,0 6,12 0,37 15,48 38,40 51,15 / stem 55,50 64,100
form curved 0.07
bowl 42,17 24,0 0,11 0,35 19,43 34,37 42,17 / stem 40,50 39,81 tail 31,100 14,90
"""

FORMS: tuple[str, ...] = (
    _ZERO,
    _ONE,
    _TWO,
    _THREE,
    _FOUR,
    _FIVE,
    _SIX,
    _SEVEN,
    _EIGHT,
    _NINE,
)
