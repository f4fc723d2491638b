#pragma once

#include "plm.h"

/// The descriptor that becomes readable when the canceller is cancelled, and stays so.
int plm_canceller_descriptor(const plm_canceller *canceller);
