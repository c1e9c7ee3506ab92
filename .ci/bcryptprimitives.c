/* bcryptprimitives.dll has one function that Go's runtime asks for at its start,
 * and Wine 8 does not have the library. This is the library for Wine: advapi32's
 * random bytes under the name that Go looks for. */
#include <windows.h>

/* RtlGenRandom, whose name in the library is this. */
BOOLEAN WINAPI SystemFunction036(void *buffer, ULONG size_bytes);

__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *buffer, SIZE_T size_bytes)
{
	const SIZE_T most = 1 << 30;
	while (size_bytes > 0) {
		ULONG n = (ULONG)(size_bytes < most ? size_bytes : most);
		if (!SystemFunction036(buffer, n))
			return FALSE;
		buffer += n;
		size_bytes -= n;
	}
	return TRUE;
}
