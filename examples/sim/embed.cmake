# SPDX-License-Identifier: MIT
#
# Makes a file into an array of characters, for strings of C must not be that long:
#
#     cmake -D INPUT=page.css -D OUTPUT=page_css.c -D NAME=page_css -P embed.cmake
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "((0x..,){16})" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "extern const char ${NAME}[];\nconst char ${NAME}[] = {\n${bytes}0};\n")
