#pragma once

/// Gives back memory that is in the process and not needed there: pages of the program's and its
/// libraries' files, and free pages of the heap.
///
/// What is needed of the files comes back as it is touched, from the kernel's cache and not from
/// the disk: some hundred faults. Loading and starting touch 20 MB of symbol tables, metadata and
/// code that are never looked at again. Only segments that cannot be written are given back, so
/// nothing of the process' own is in them.
///
/// For moments after which other things are done than before. Thread-safe; takes a few milliseconds
/// at most; does nothing but on Linux with glibc.
void process_memory_give_back(void);
