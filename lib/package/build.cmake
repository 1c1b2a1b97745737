# SPDX-License-Identifier: MIT
#
# How vmres is built: directories name their sources with vmres_sources(), libraries are made of
# such parts by vmres_library().

if(VMRES_SANITIZE)
    add_compile_options(-fsanitize=${VMRES_SANITIZE} -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${VMRES_SANITIZE})
endif()

# vmres_sources(PART FILE...): these files, of the directory that says so, belong to PART.
function(vmres_sources part)
    list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
    set_property(GLOBAL APPEND PROPERTY VMRES_SOURCES_${part} ${ARGN})
endfunction()

# vmres_parts(VARIABLE PART...): all sources of the parts.
function(vmres_parts variable)
    set(sources)
    foreach(part IN LISTS ARGN)
        get_property(files GLOBAL PROPERTY VMRES_SOURCES_${part})
        list(APPEND sources ${files})
    endforeach()
    set(${variable} ${sources} PARENT_SCOPE)
endfunction()

# vmres_own(TARGET): TARGET is compiled of our own code, by our own rules.
function(vmres_own target)
    # Strict C11 hides POSIX, and libuv's header with it. What the core may use, tests/purity says.
    target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L)
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
        -Wvla -Wundef
        $<$<BOOL:${VMRES_WERROR}>:-Werror>
    )
endfunction()

# vmres_internal(TARGET): TARGET may include internal headers, as "core/error.h" or "sim/world.h".
function(vmres_internal target)
    target_include_directories(${target} PRIVATE
        ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/lib ${PROJECT_SOURCE_DIR}/backends)
endfunction()

# vmres_library(NAME
#     DESCRIPTION TEXT      for pkg-config
#     PARTS PART...         what it is made of
#     HEADERS FILE...       its public headers; those nobody claims are the core's
#     COPIES FILE...        internal sources of another library, of which it needs its own copy
#     REQUIRES NAME...      libraries of ours whose interface it shows
#     PRIVATE MODULE...     pkg-config modules that it alone needs, never its users
# )
# makes the shared object NAME, the archive NAME_static, their CMake component and their pkg-config
# file. What is exported is listed in lib/package/NAME.map.
function(vmres_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "DESCRIPTION" "PARTS;HEADERS;COPIES;REQUIRES;PRIVATE")
    string(REGEX REPLACE "^vmres-" "" component ${name})
    vmres_parts(sources ${arg_PARTS})
    if(NOT sources)
        message(STATUS "${name}: has no sources, is not built")
        return()
    endif()

    set(modules)
    foreach(module IN LISTS arg_PRIVATE)
        find_package(PkgConfig REQUIRED)
        pkg_check_modules(${module} REQUIRED ${module})
        list(APPEND modules ${module})
    endforeach()

    set(objects ${name}_objects)
    add_library(${objects} OBJECT ${sources} ${arg_COPIES})
    set_target_properties(${objects} PROPERTIES
        POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
    vmres_own(${objects})
    vmres_internal(${objects})
    foreach(module IN LISTS modules)
        target_include_directories(${objects} SYSTEM PRIVATE ${${module}_INCLUDE_DIRS})
    endforeach()

    # Before 1.0 a minor version may change the interface.
    set(abi ${PROJECT_VERSION_MAJOR})
    if(abi EQUAL 0)
        set(abi 0.${PROJECT_VERSION_MINOR})
    endif()
    set(map ${PROJECT_SOURCE_DIR}/lib/package/${name}.map)
    add_library(${name} SHARED $<TARGET_OBJECTS:${objects}>)
    set_target_properties(${name} PROPERTIES
        VERSION ${PROJECT_VERSION} SOVERSION ${abi} LINK_DEPENDS ${map})
    target_link_options(${name} PRIVATE LINKER:--version-script=${map})
    if(NOT VMRES_SANITIZE)
        target_link_options(${name} PRIVATE LINKER:-z,defs)
    endif()
    set(targets ${name})
    if(VMRES_BUILD_STATIC)
        add_library(${name}_static STATIC $<TARGET_OBJECTS:${objects}>)
        set_target_properties(${name}_static PROPERTIES OUTPUT_NAME ${name})
        list(APPEND targets ${name}_static)
    endif()
    foreach(target IN LISTS targets)
        string(REPLACE ${name} "" variant ${target})
        set_target_properties(${target} PROPERTIES
            LINKER_LANGUAGE C EXPORT_NAME ${component}${variant})
        add_library(vmres::${component}${variant} ALIAS ${target})
        target_include_directories(${target} INTERFACE
            $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
        foreach(required IN LISTS arg_REQUIRES)
            target_link_libraries(${target} PUBLIC ${required}${variant})
        endforeach()
        foreach(module IN LISTS modules)
            # By plain name, so that the installed package does not name a directory of ours.
            target_link_libraries(${target} PRIVATE ${${module}_LIBRARIES})
            target_link_directories(${target} PRIVATE ${${module}_LIBRARY_DIRS})
        endforeach()
    endforeach()

    set_property(GLOBAL APPEND PROPERTY VMRES_LIBRARIES ${name})
    if(arg_HEADERS)
        list(TRANSFORM arg_HEADERS PREPEND ${PROJECT_SOURCE_DIR}/include/vmres/)
    else()
        vmres_core_headers(arg_HEADERS)
    endif()
    set_property(TARGET ${name} PROPERTY VMRES_HEADERS ${arg_HEADERS})
    vmres_install(${name} "${arg_DESCRIPTION}" "${arg_REQUIRES}" "${modules}" ${targets})
endfunction()

# vmres_core_headers(VARIABLE): the public headers that are not in VMRES_OPTIONAL_HEADERS.
function(vmres_core_headers variable)
    file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/vmres/*.h)
    foreach(header IN LISTS VMRES_OPTIONAL_HEADERS)
        list(REMOVE_ITEM headers ${PROJECT_SOURCE_DIR}/include/vmres/${header})
    endforeach()
    set(${variable} ${headers} PARENT_SCOPE)
endfunction()

# vmres_install(NAME DESCRIPTION REQUIRES MODULES TARGET...): installs one library.
function(vmres_install name description requires modules)
    string(REGEX REPLACE "^vmres-" "" component ${name})
    set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vmres)
    get_target_property(headers ${name} VMRES_HEADERS)
    install(TARGETS ${ARGN} EXPORT ${name}-targets)
    install(EXPORT ${name}-targets NAMESPACE vmres:: DESTINATION ${cmake_dir})
    install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vmres)

    set(pc_name ${name})
    set(pc_description ${description})
    list(JOIN requires ", " pc_requires)
    list(JOIN modules ", " pc_private)
    set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
    if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
        set(pc_prefix ${CMAKE_INSTALL_PREFIX})
        set(pc_libdir ${CMAKE_INSTALL_LIBDIR})
    else()
        # Relative to where the file lies: the installed tree can be moved as a whole.
        file(RELATIVE_PATH up /${pc_dir} /)
        string(REGEX REPLACE "/$" "" up ${up})
        set(pc_prefix \${pcfiledir}/${up})
        set(pc_libdir \${prefix}/${CMAKE_INSTALL_LIBDIR})
    endif()
    configure_file(${PROJECT_SOURCE_DIR}/lib/package/library.pc.in
        ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${pc_dir})
endfunction()
