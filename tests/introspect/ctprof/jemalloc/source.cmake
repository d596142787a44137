# jemalloc's source as Debian keeps it: tests build it, because the distribution's own is stripped. Included for the
# file's name and hash; run by itself (cmake -P source.cmake), fetches it from the mirror that apt uses.
set(JEMALLOC_NAME jemalloc_5.3.0.orig.tar.bz2)
set(JEMALLOC_SHA256 2db82d1e7119df3e71b7640219b6dfe84789bc0537983c3b7ac4f7189aecfeaa)

if(DEFINED ENV{KTSTR_CACHE})
  set(JEMALLOC_FILE $ENV{KTSTR_CACHE}/${JEMALLOC_NAME})
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(JEMALLOC_FILE $ENV{XDG_CACHE_HOME}/ktstr/${JEMALLOC_NAME})
else()
  set(JEMALLOC_FILE $ENV{HOME}/.cache/ktstr/${JEMALLOC_NAME})
endif()

if(CMAKE_SCRIPT_MODE_FILE AND NOT EXISTS ${JEMALLOC_FILE})
  execute_process(COMMAND apt-get indextargets --format "\$(SITE)" OUTPUT_VARIABLE sites COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCH "^[^\n]+" site "${sites}")
  file(DOWNLOAD ${site}/pool/main/j/jemalloc/${JEMALLOC_NAME} ${JEMALLOC_FILE}.part EXPECTED_HASH SHA256=${JEMALLOC_SHA256} TLS_VERIFY ON)
  file(RENAME ${JEMALLOC_FILE}.part ${JEMALLOC_FILE})
endif()
