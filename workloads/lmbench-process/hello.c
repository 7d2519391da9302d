// SPDX-License-Identifier: MIT
/*
 * hello: the small program that the exec and sh rows start. It is linked dynamically, as any
 * program of a real system, so that the loader's work is part of the rows. The benchmark closes
 * standard output before exec: the write fails, and that is meant.
 */
#include <unistd.h>

int main(void)
{
	static const char text[] = "Hello world\n";
	ssize_t put = write(STDOUT_FILENO, text, sizeof(text) - 1);

	(void)put;
	return 0;
}
