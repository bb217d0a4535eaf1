// SPDX-License-Identifier: LGPL-2.1-or-later
// Marks English texts that are made here and translated by whoever shows them, as gettext's N_.

export const N_ = (text: string): string => text;
