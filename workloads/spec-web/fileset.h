/* SPDX-License-Identifier: MIT */
/*
 * fileset.h: the files that the server has to offer.
 */
#ifndef WORKLOADS_SPEC_WEB_FILESET_H
#define WORKLOADS_SPEC_WEB_FILESET_H

/* Makes the directories, 36 files of 4.88 MB in all in each, and has them written to the disk. */
void fileset_make(const char *top, unsigned int directories);

#endif
