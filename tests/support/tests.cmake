# SPDX-License-Identifier: MIT
#
# How a test is declared. Labels: quick (all of them in seconds) and slow. A test that cannot run
# here exits with 77 after saying why, and is shown as skipped.

find_package(PkgConfig REQUIRED)
pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka)

# vmres_test_program(NAME LABEL SOURCES FILE... [LIBRARIES LIBRARY...] [ARGUMENTS ARGUMENT...]):
# a program of tests, linked with the library's internals, cmocka and tests/support, or instead of
# the internals with LIBRARIES.
function(vmres_test_program name label)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "SOURCES;LIBRARIES;ARGUMENTS")
    string(REPLACE . - target test-${name})
    add_executable(${target} ${arg_SOURCES})
    if(NOT arg_LIBRARIES)
        set(arg_LIBRARIES vmres_testing)
    endif()
    target_link_libraries(${target} PRIVATE vmres_test_support ${arg_LIBRARIES} PkgConfig::cmocka)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    vmres_own(${target})
    add_test(NAME ${name} COMMAND ${target} ${arg_ARGUMENTS})
    set_tests_properties(${name} PROPERTIES LABELS ${label} SKIP_RETURN_CODE 77 TIMEOUT 300)
endfunction()

# vmres_unit_tests(NAME...): tests/unit/test_NAME.c, one program each.
function(vmres_unit_tests)
    foreach(name IN LISTS ARGN)
        vmres_test_program(unit.${name} quick SOURCES test_${name}.c)
    endforeach()
endfunction()

# vmres_script_test(NAME LABEL SCRIPT ARGUMENT...): a POSIX sh script below tests/.
function(vmres_script_test name label script)
    add_test(NAME ${name} COMMAND ${PROJECT_SOURCE_DIR}/tests/${script} ${ARGN}
        COMMAND_EXPAND_LISTS)
    set_tests_properties(${name} PROPERTIES
        LABELS ${label} SKIP_RETURN_CODE 77 TIMEOUT 300
        ENVIRONMENT "CC=${CMAKE_C_COMPILER}")
endfunction()
