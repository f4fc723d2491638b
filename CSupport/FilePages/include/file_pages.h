#pragma once

/// Takes pages of the program's and its libraries' files out of the process. What is needed comes
/// back as it is touched, from the kernel's cache and not from the disk: some hundred faults.
/// Loading and starting touch 20 MB of symbol tables, metadata and code that are never looked at
/// again.
///
/// Only segments that cannot be written, so nothing of the process' own is in them. Thread-safe.
/// Does nothing but on Linux.
void file_pages_give_back(void);
