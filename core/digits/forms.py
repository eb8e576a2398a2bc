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
form oval 0.139 slash 0.03
ring 21,0 7,18 0,54 9,87 33,100 57,85 62,50 43,17 o
slash 55,13 30,51 0,95
form oval1 0.116 slash 0.03
ring 39,0 15,19 0,54 1,90 20,100 52,81 69,46 58,12 o
slash 69,10 33,50 -7,95
form wide 0.163 slash 0.03
ring 48,0 16,13 0,52 10,88 43,100 83,87 101,49 81,15 o
slash 90,6 47,50 2,95
form wide1 0.022 slash 0.03
ring 46,0 18,14 0,56 8,87 41,100 81,76 66,34 37,19 o
slash 40,14 41,45 -2,94
form open 0.212 slash 0.03
ring 53,6 32,4 11,26 0,60 10,91 34,100 67,86 80,48 63,12 44,0 34,11
slash 74,10 38,51 2,97
form open1 0.163 slash 0.03
ring 66,3 41,10 18,33 0,63 6,94 33,100 71,86 96,49 80,7 54,0 44,22
slash 92,5 44,57 -1,97
form open2 0.096 slash 0.03
ring 46,5 31,9 17,35 5,62 0,91 14,100 41,81 56,47 53,11 39,0 32,16
slash 60,13 29,53 -6,91
form open3 0.051 slash 0.03
ring 56,7 22,0 9,21 0,61 13,92 46,100 89,88 109,51 76,10 39,3 27,14
slash 93,5 45,54 4,102
form open4 0.038 slash 0.03
ring 71,5 26,13 9,34 0,60 2,92 28,100 71,85 103,42 89,0 49,4 35,40
slash 104,-9 41,63 -2,94
"""

_ONE = """
form plain 0.238 serif 0.06 base 0.02
stem 0,0 8,50 16,100
serif 0,0 -7,12 -18,22
base -13,100 16,100 42,99
form plain1 0.21 serif 0.06 base 0.02
stem 8,0 3,49 0,100
serif 8,0 -4,12 -18,21
base -26,100 0,100 29,99
form plain2 0.151 serif 0.06 base 0.02
stem 9,0 9,48 0,100
serif 9,0 -1,11 -15,21
base -26,100 0,100 30,99
form plain3 0.101 serif 0.06 base 0.02
stem 25,0 8,53 0,100
serif 25,0 9,13 -8,24
base -24,100 0,100 31,99
form plain4 0.099 serif 0.06 base 0.02
stem 38,0 25,48 0,100
serif 38,0 24,11 8,21
base -21,99 0,100 35,99
form plain5 0.051 serif 0.06 base 0.02
stem 15,0 0,49 6,100
serif 15,0 -2,11 -19,21
base -24,101 6,100 37,100
form plain6 0.05 serif 0.06 base 0.02
stem 48,0 20,48 0,100
serif 48,0 28,12 9,21
base -21,99 0,100 37,99
form plain7 0.041 serif 0.06 base 0.02
stem 2,0 0,58 18,100
serif 2,0 -10,14 -25,26
base -15,103 18,100 46,102
form plain8 0.031 serif 0.06 base 0.02
stem 11,0 12,57 0,100
serif 11,0 1,14 -12,26
base -26,102 0,100 32,101
form printed 0.028 serif 0.85 base 0.70
stem 6,0 3,52 0,100
serif 6,0 -7,16 -25,32
base -28,101 0,100 35,102
"""

_TWO = """
form round 0.082 loop 0.50
arch 0,17 14,4 41,0 60,13 64,37 diagonal 49,69 11,100 / foot 47,93 85,90
loop 11,100 -4,107 -12,95 1,83 20,83 11,100
form looping 0.137 loop 0.79
arch 0,12 11,0 31,0 46,15 48,42 diagonal 37,67 17,85 / foot 39,85 59,100 76,99
loop 17,85 -1,100 -19,97 -9,82 10,79 17,85
form curling 0.102 loop 0.83
arch 0,39 4,16 35,0 62,14 66,44 diagonal 59,69 46,88 / foot 70,97 98,100
loop 46,88 27,110 -4,120 -14,103 3,83 26,77 46,88
form swinging 0.142 loop 0.95
arch 0,16 7,1 30,0 53,16 63,44 diagonal 62,70 51,88 / foot 67,97 73,100
loop 51,88 36,107 5,113 -7,92 11,75 35,76 51,88
form swinging1 0.139 loop 0.93
arch 0,18 13,3 38,0 57,11 59,39 diagonal 50,66 33,86 / foot 58,92 83,100
loop 33,86 15,104 -14,112 -22,96 -4,80 18,79 33,86
form swinging2 0.086 loop 0.95
arch 0,16 10,4 28,0 44,9 49,31 diagonal 45,50 35,66 / foot 55,75 71,100
loop 35,66 19,85 -13,97 -23,81 -2,64 20,61 35,66
form wide 0.119 loop 0.34
arch 0,7 19,0 52,1 73,15 65,47 diagonal 40,75 6,99 / foot 45,89 84,94 116,100
loop 6,99 -18,107 -27,91 -5,80 14,81 6,99
form wide1 0.064 loop 0.23
arch 0,3 12,0 36,10 55,25 50,54 diagonal 31,75 8,100 / foot 38,95 89,89 134,85
loop 8,100 -17,111 -25,95 -8,82 8,85 8,100
form zed 0.129 loop 0.15
arch 0,7 23,0 48,2 58,15 diagonal 47,45 22,71 4,100 / foot 39,99 80,95
loop 4,100 -9,106 -14,101 -3,91 9,86 4,100
"""

_THREE = """
form round 0.158
upper-bowl 1,9 18,0 49,0 62,16 49,38 25,48 / lower-bowl 55,48 74,68 65,91 32,100 0,88
form round1 0.102
upper-bowl 18,10 35,2 63,0 71,14 53,34 22,46 / lower-bowl 59,44 84,66 70,91 29,100 0,92
form round2 0.099
upper-bowl 0,8 19,0 58,0 70,13 50,32 21,42 / lower-bowl 58,42 83,63 70,90 34,100 16,89
form round3 0.097
upper-bowl 0,10 13,0 46,1 57,17 37,43 10,54 / lower-bowl 43,52 67,67 57,93 22,100 0,84
form round4 0.055
upper-bowl 7,6 18,0 49,1 60,16 36,39 0,47 / lower-bowl 43,41 77,60 69,90 29,100 5,84
form waved 0.098
upper-bowl 0,10 19,0 46,2 52,15 36,37 18,46 / lower-bowl 42,43 64,57 63,84 38,100 23,100
form waved1 0.089
upper-bowl 0,4 15,0 46,2 52,20 29,44 5,50 / lower-bowl 35,48 59,61 60,85 41,100 27,98
form flowing 0.135
upper-bowl 9,4 35,0 63,3 67,17 50,38 34,48 lower-bowl 47,51 65,62 66,81 43,100 14,100 0,89
form flowing1 0.086
upper-bowl 0,4 16,0 40,6 42,19 25,36 12,43 lower-bowl 25,50 46,63 55,83 32,99 12,100 7,92
form flat 0.081
top-bar 0,0 26,1 61,3 / diagonal 41,18 23,34 / lower-bowl 55,41 80,63 62,91 30,100 8,93
"""

_FOUR = """
form upright 0.122 closing 0.02
arm 15,2 8,32 0,61 / bar 22,63 49,59 83,57
stem 62,0 55,27 49,59 45,100
closing 15,2 37,2 62,0
form upright1 0.119 closing 0.02
arm 10,9 6,28 0,48 / bar 26,48 51,48 72,44
stem 59,0 56,22 51,48 46,100
closing 10,9 36,4 59,0
form upright2 0.089 closing 0.02
arm 5,8 2,34 0,62 / bar 32,62 58,61 64,60
stem 56,0 56,29 58,61 64,100
closing 5,8 35,4 56,0
form cursive 0.128 closing 0.02
arm 17,0 8,27 0,50 bar 10,57 38,51 61,37 / stem 65,0
stem 61,37 54,70 51,100
closing 17,0 42,-2 65,0
form cursive1 0.103 closing 0.02
arm 10,0 4,21 0,43 bar 12,50 35,45 58,41 / stem 57,17
stem 58,41 55,69 55,100
closing 10,0 33,5 57,17
form wide 0.157 closing 0.02
arm 13,21 7,41 0,60 / bar 23,61 42,60 53,56
stem 64,0 52,32 42,60 30,100
closing 13,21 38,13 64,0
form wide1 0.101 closing 0.02
arm 15,12 9,31 0,49 / bar 27,46 52,46 61,42
stem 71,0 62,22 52,46 34,100
closing 15,12 45,2 71,0
form pointed 0.099 closing 0.50
arm 30,29 16,49 0,69 / bar 22,66 47,65 70,64
stem 58,0 52,30 47,65 40,100
closing 30,29 47,12 58,0
form pointed1 0.082 closing 0.50
arm 25,14 15,30 0,52 / bar 23,52 43,52 72,50
stem 41,0 43,20 43,52 46,100
closing 25,14 37,6 41,0
"""

_FIVE = """
form cornered 0.135
top-bar 79,0 45,2 12,2 / stem 5,27 0,48 / bowl 32,41 71,53 83,79 64,99 31,100 15,89
form cornered1 0.109
top-bar 72,0 41,6 14,10 / stem 9,35 4,58 / bowl 27,49 52,59 61,81 45,99 18,100 0,84
form cornered2 0.083
top-bar 59,6 29,1 3,0 / stem 5,21 7,44 / bowl 27,34 50,49 57,74 43,95 18,100 0,92
form cornered3 0.067
top-bar 65,0 44,7 16,11 / stem 9,30 5,49 / bowl 37,39 70,46 79,72 55,97 16,100 0,83
form separate 0.169
stem 14,13 7,33 0,51 / bowl 25,51 46,65 48,85 30,98 13,100 1,92
top-bar 19,16 46,11 84,0
form separate1 0.108
stem 38,8 29,31 21,51 / bowl 51,50 74,61 70,81 43,97 16,100 0,90
top-bar 42,11 70,6 90,0
form separate2 0.079
stem 21,6 14,20 8,35 / bowl 34,36 52,50 54,75 41,95 20,100 0,92
top-bar 24,9 48,3 76,0
form short 0.103
top-bar 103,0 59,5 20,9 / stem 11,24 0,40 / bowl 21,47 42,64 41,87 19,97 2,100
form snake 0.147
top-bar 67,0 41,4 20,14 stem 7,29 16,44 bowl 36,57 51,74 47,92 23,100 0,90
"""

_SIX = """
form flowing 0.151
stem 37,0 18,29 4,63 bowl 0,90 13,100 38,92 52,77 43,66 20,78 4,93
form flowing1 0.13
stem 37,0 15,24 2,55 bowl 0,82 17,100 44,94 56,77 42,64 17,70 6,87
form flowing2 0.059
stem 40,0 13,22 0,59 bowl 0,86 10,99 27,100 35,88 25,78 9,78 2,90
form wide 0.048
stem 53,0 22,19 3,50 bowl 0,78 16,100 45,100 56,82 41,65 18,62 4,73
form upright 0.147
stem 24,0 7,33 0,67 bowl 11,93 34,100 65,91 76,71 59,62 34,72 24,94
form upright1 0.111
stem 22,0 9,30 0,67 bowl 12,94 42,100 63,86 70,62 58,48 39,66 33,94
form upright2 0.092
stem 21,0 7,34 0,71 bowl 19,95 51,100 70,89 81,69 66,61 50,75 41,97
form upright3 0.047
stem 29,0 11,30 0,62 bowl 7,90 33,100 66,90 75,68 55,54 27,62 23,90
form spiral 0.125
stem 43,0 24,12 5,49 bowl 0,84 20,100 50,93 64,67 48,53 27,65 26,86 41,87
form circle 0.09
stem 21,0 9,35 0,72
bowl 0,72 8,94 26,100 47,89 52,72 39,59 17,59 0,72
"""

_SEVEN = """
form straight 0.187 crossbar 0.13 hook 0.20
top-bar 0,3 33,3 70,0 / stem 58,31 43,63 29,100
crossbar 19,53 47,52 75,49
hook 0,3 0,13 0,24
form straight1 0.045 crossbar 0.13 hook 0.20
top-bar 0,27 21,1 60,0 / stem 53,36 42,67 34,100
crossbar 15,57 43,57 66,56
hook 0,27 -2,36 -1,46
form curved 0.173 crossbar 0.13 hook 0.20
top-bar 0,3 28,2 54,0 stem 61,5 58,33 53,66 55,100
crossbar 27,56 54,52 76,46
hook 0,3 2,14 2,25
form curved1 0.138 crossbar 0.13 hook 0.20
top-bar 0,3 48,4 87,0 stem 99,6 92,34 79,67 66,100
crossbar 54,61 85,57 107,48
hook 0,3 5,14 7,24
form curved2 0.1 crossbar 0.13 hook 0.20
top-bar 0,0 28,0 50,3 stem 61,12 64,35 56,66 43,100
crossbar 31,51 57,52 88,47
hook 0,0 1,10 1,18
form curved3 0.066 crossbar 0.13 hook 0.20
top-bar 0,18 22,0 47,2 stem 59,12 59,37 51,67 41,100
crossbar 24,55 53,54 79,56
hook 0,18 2,27 -1,39
form curved4 0.031 crossbar 0.13 hook 0.20
top-bar 0,0 17,22 53,10 stem 63,14 57,39 52,69 48,100
crossbar 18,68 54,57 83,52
hook 0,0 -1,18 -3,29
form wavy 0.148 crossbar 0.13 hook 0.20
top-bar 0,0 16,3 35,5 51,1 / stem 42,30 27,65 10,100
crossbar 4,50 34,47 62,47
hook 0,0 -5,13 -11,29
form wavy1 0.112 crossbar 0.13 hook 0.20
top-bar 0,0 14,14 35,12 56,2 / stem 45,36 36,67 29,100
crossbar 12,54 39,53 67,48
hook 0,0 -2,14 -5,30
"""

_EIGHT = """
form one-stroke 0.143
upper-loop 50,10 28,0 0,8 2,27 27,47 lower-loop 51,68 45,91 18,100 1,90 7,68 27,47 upper-loop
  48,27 50,10
form one-stroke1 0.132
upper-loop 54,10 32,0 5,12 2,29 20,49 lower-loop 40,72 40,94 16,100 0,89 2,72 20,49 upper-loop
  43,25 54,10
form open 0.15
upper-loop 42,14 28,0 0,17 1,39 22,57 lower-loop 35,76 30,96 12,100 1,91 8,74 22,57 upper-loop
  45,30 58,7
form open1 0.145
upper-loop 44,17 26,0 0,10 3,27 23,45 lower-loop 39,69 41,94 22,100 3,87 8,63 23,45 upper-loop
  46,30 63,18
form open2 0.041
upper-loop 53,16 44,0 21,16 21,37 40,49 lower-loop 51,69 44,94 15,100 0,90 15,65 40,49 upper-loop
  62,30 53,12
form small-foot 0.159
upper-loop 50,8 29,0 0,17 7,36 33,51 lower-loop 46,74 38,94 22,100 13,87 22,68 37,47 upper-loop
  52,26 50,8
form small-foot1 0.113
upper-loop 59,6 35,0 0,17 0,40 19,58 lower-loop 32,80 30,97 14,100 1,90 7,73 26,50 upper-loop
  54,27 59,6
form narrow 0.045
upper-loop 44,2 25,0 4,10 13,34 34,50 lower-loop 44,69 32,97 11,100 0,87 13,69 34,50
upper-loop 46,13 44,2
form circles 0.072
upper-loop 24,49 0,42 2,15 22,0 43,8 45,34 o
lower-loop 24,49 0,66 2,90 27,100 55,86 53,57 o
"""

_NINE = """
form straight 0.058
bowl 47,10 26,0 5,11 0,34 20,44 42,34 47,10 / stem 48,49 53,100
form flowing 0.178
bowl 48,5 25,0 2,20 0,38 22,38 44,24 50,10 / stem 43,41 29,72 15,100
form flowing1 0.088
bowl 48,14 28,0 0,14 1,32 23,39 45,32 54,19 / stem 41,47 29,72 17,100
form swung 0.119
bowl 54,8 37,0 14,10 0,31 8,41 28,34 46,17 / stem 37,47 29,74 22,100
form swung1 0.094
bowl 59,6 40,0 14,10 0,34 12,48 38,45 55,24 / stem 46,56 36,78 30,100
form apart 0.097
bowl 47,7 24,0 0,22 5,44 33,41 53,24
stem 57,8 53,52 50,100
form shouldered 0.14
bowl 47,24 36,41 13,46 0,33 10,9 30,0 47,8 stem 50,29 46,63 43,100
form circle 0.109
bowl 56,28 45,48 22,54 0,41 1,15 24,0 48,7 o
stem 56,28 51,63 52,100
form tall 0.069
bowl 47,15 27,0 6,14 0,38 13,51 34,43 47,15 / stem 49,52 56,100
form curved 0.048
bowl 49,14 27,0 0,10 0,34 21,44 38,36 49,14 / stem 44,49 40,81 tail 36,100 16,92
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
